// Package secret keeps what must not be read: envelope encryption of columns, keyed blind indexes,
// random tokens and their hashes.
//
//	KEK      32 bytes in a file outside the database
//	  └─ data_key (two rows, wrapped under the KEK)
//	       ├─ seal   Box.Seal, Box.Open: AES-256-GCM of column values
//	       └─ index  Box.Index: HMAC-SHA-256, to look a sealed value up without opening it
//
// A dump of the database without the KEK gives neither values nor a way to try candidates. Losing
// the KEK loses the data: back it up apart. A person's password is not here (idp/factor).
package secret
