DETACH source
