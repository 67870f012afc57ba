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


@pytest.mark.parametrize("trouble", ["raise ImportError('no such backend')", "raise SystemExit(3)"])
def test_where_the_import_fails_all_is_shown(tmp_path, trouble):
    (tmp_path / "keras.py").write_text(f"import os; os.write(2, b'said before'); {trouble}")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from study import quiet; quiet.keras()"
    status, heard = said(code)
    assert status != 0
    assert heard.startswith("said before")
