"""`python -m iati_platform.cli`: the same as the `iati` command."""

from iati_platform.cli.root import main

main()
