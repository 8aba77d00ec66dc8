//! Byte formats and number texts that several parts share: globs, checksums, LZF, doubles
