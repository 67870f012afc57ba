"""What is varied: one file a search space, plain data. `python -m study.search NAME` runs one."""
