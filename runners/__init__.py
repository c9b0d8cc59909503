"""The command line, the SPARQL endpoint, and the execution of builds on this machine and on clusters."""
