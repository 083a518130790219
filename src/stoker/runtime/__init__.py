"""The loops: dispatch, supervise, deliver webhooks, sweep."""
