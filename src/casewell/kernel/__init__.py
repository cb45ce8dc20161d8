"""The ground every part of Casewell stands on. Knows no feature."""
