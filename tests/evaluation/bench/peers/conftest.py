"""What lies below is for other tools, and none of it a test of ours."""

collect_ignore_glob = ["*"]
