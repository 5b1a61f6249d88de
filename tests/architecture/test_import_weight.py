"""Workers import no library of the command line."""

import subprocess
import sys

COMMAND_LINE = {"cyclopts", "rich", "http.client", "httpx"}


def test_compiling_settings_imports_no_library_of_the_command_line() -> None:
    program = "import sys, llmgw.cli, llmgw.wiring, llmgw.state, llmgw.settings.load; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & COMMAND_LINE == set()


def test_the_catalogue_of_models_is_not_read_at_import() -> None:
    program = (
        "import sys; opened = []; sys.addaudithook(lambda name, args: opened.append(str(args[0])) "
        "if name == 'open' else None); import llmgw.cli.models, llmgw.wiring; "
        "print(*(path for path in opened if path.endswith('models.json')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
