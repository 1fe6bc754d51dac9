"""This package writes a simulated world as the files that archives keep, and what was true."""
