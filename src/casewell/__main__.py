from casewell.cli import main

main()
