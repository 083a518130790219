SHARED = "from the root"
