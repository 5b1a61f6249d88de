"""The task that every agent gets, and what the model says to each of them on the way to its end."""

from pathlib import Path

from tests.upstreams.speech import Call, Turn

TASK = "Read notes.txt and write the answer to out.txt"
ANSWER = "forty-two\n"
THOUGHT = "The notes come first: naïve guesses help nobody."
PLAN = "Let me look."
END = "Done: the answer is forty-two."
READ = "cat notes.txt"
PATCH = "*** Begin Patch\n*** Add File: out.txt\n+forty-two\n*** End Patch\n"


def _session(first: tuple[Call, ...], second: Call) -> tuple[Turn, ...]:
    return (Turn(thinking=THOUGHT, text=PLAN, calls=first), Turn(calls=(second,)), Turn(text=END))


def claude_code(folder: Path) -> tuple[Turn, ...]:
    """Two calls at once, then one more."""
    look = Call("Bash", {"command": READ, "description": "Shows the notes"})
    read = Call("Read", {"file_path": str(folder / "notes.txt")})
    return _session((look, read), Call("Write", {"file_path": str(folder / "out.txt"), "content": ANSWER}))


def codex(_folder: Path) -> tuple[Turn, ...]:
    """The same, the file written by the tool that takes free text."""
    look = Call("exec_command", {"cmd": READ})
    return _session((look, Call("exec_command", {"cmd": "ls"})), Call("apply_patch", PATCH))


def codex_of_programs(_folder: Path) -> tuple[Turn, ...]:
    """The same for Codex's newer models, which have one tool, in a group, that runs programs."""
    look = f'const seen = await tools.exec_command({{cmd: "{READ}"}}); text(seen.output);'
    write = 'await tools.exec_command({cmd: "echo forty-two > out.txt"}); text("written");'
    return _session((Call("exec", look, "functions"),), Call("exec", write, "functions"))


def gemini_cli(folder: Path) -> tuple[Turn, ...]:
    """Two calls at once, then one more."""
    look = Call("run_shell_command", {"command": READ, "description": "Shows the notes"})
    read = Call("read_file", {"file_path": str(folder / "notes.txt")})
    write = Call("write_file", {"file_path": str(folder / "out.txt"), "content": ANSWER})
    return _session((look, read), write)
