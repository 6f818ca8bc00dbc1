"""Every row of the paper on one catalogue: suites of runs, and the tables and figures of them."""
