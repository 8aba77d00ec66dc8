//! What the server measures of itself: counters, histograms, slow log, latency events
