"""Commands whose work is more than a call: what stands between the command line and a flow over files."""
