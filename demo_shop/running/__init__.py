"""The demo as a set of processes: servers, worker, web, and the steps before they are useful."""
