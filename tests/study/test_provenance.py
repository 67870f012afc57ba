"""Where a record comes from: what tells two processors apart."""

from study import provenance

ROME = """processor\t: 0
cpu family\t: 23
model\t\t: 49
model name\t: AMD EPYC
flags\t\t: fpu sse2 avx bmi1 avx2

processor\t: 1
cpu family\t: 99
"""


def test_generations_that_share_a_name_are_told_apart():
    assert provenance.cpu_of(ROME) == "AMD EPYC, family 23, model 49, avx avx2"
    assert provenance.cpu_of(ROME.replace(": 49", ": 1")) != provenance.cpu_of(ROME)
    assert provenance.cpu_of(ROME.replace("avx2", "avx2 avx512f")) != provenance.cpu_of(ROME)


def test_processors_that_say_less():
    assert provenance.cpu_of("processor\t: 0\nBogoMIPS\t: 108\n\nModel\t\t: Raspberry Pi 4\n") == "Raspberry Pi 4"
    assert provenance.cpu_of("") == ""
    assert provenance.cpu_model()
