"""Problems and their places."""

from llmgw.settings.problems import Problem, Report, SettingsError, did_you_mean, dotted


def test_a_path_is_written_as_people_write_it() -> None:
    assert dotted(("model_list", 0, "litellm_params", "model")) == "model_list[0].litellm_params.model"
    assert dotted(()) == ""


def test_a_problem_tells_what_is_known_of_its_place() -> None:
    assert str(Problem("wrong", "a.b", "f.yaml", 3)) == "f.yaml:3: a.b: wrong"
    assert str(Problem("wrong", file="f.yaml")) == "f.yaml: wrong"
    assert str(Problem("wrong")) == "wrong"


def test_a_value_without_a_line_has_that_of_what_is_around_it() -> None:
    report = Report("f.yaml", {("a",): 7})
    report.error(("a", "b", 0), "wrong")
    assert report.problems[0].line == 7


def test_problems_of_another_file_are_told_with_the_first_ones() -> None:
    report = Report("f.yaml")
    report.of_file("g.yaml").error(("a",), "wrong")
    assert [problem.file for problem in report.problems] == ["g.yaml"]


def test_a_thousand_problems_are_not_all_in_one_text() -> None:
    error = SettingsError(Problem(f"wrong {number}") for number in range(1000))
    assert len(error.problems) == 1000
    assert str(error).endswith("wrong 29\n… and 970 more")


def test_only_near_words_are_suggested() -> None:
    assert did_you_mean("modle", ["model", "host"]) == "; did you mean 'model'?"
    assert did_you_mean("xyz", ["model", "host"]) == ""
