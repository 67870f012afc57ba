import os
import subprocess
import sys

import pytest


def said(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def test_importing_keras_says_nothing():
    assert said("from study import quiet; assert quiet.keras().__name__ == 'keras'") == (0, "")


def test_standard_error_is_there_again_afterwards():
    code = "from study import quiet; quiet.keras(); import os; os.write(2, b'heard')"
    assert said(code) == (0, "heard")


@pytest.mark.parametrize(
    ("then", "status"),
    [("", 0), ("raise ImportError('no such backend')", 1), ("raise SystemExit(3)", 3), ("os.abort()", -6)],
)
def test_what_is_not_known_is_shown_whatever_comes_of_the_import(tmp_path, then, status):
    lines = "oneDNN custom operations are on. And so on.\\nthis build needs AVX\\n"
    (tmp_path / "keras.py").write_text(f"import os; os.write(2, b'{lines}'); {then}")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from study import quiet; quiet.keras()"
    found, heard = said(code)
    assert found == status
    assert heard.startswith("this build needs AVX\n")
    assert "oneDNN" not in heard.split("Traceback")[0]  # which quotes the source
