//! The open hash table of tagged pointers that the keyspace and the big collections are built on
