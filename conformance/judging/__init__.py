"""One cell at a time, in this process: asked, judged, counted; for pytest and as a library, too."""
