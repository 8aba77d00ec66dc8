//! Workers, event source, connections, sessions: joins the parts into a server
