"""Cold boots: started plainly against forked, in turns."""
