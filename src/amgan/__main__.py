"""`python -m amgan`, the same as the `amgan` command."""

from amgan.cli import main

main()
