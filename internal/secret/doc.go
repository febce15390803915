// Package secret keeps what must not be read: envelope encryption of columns, keyed blind indexes,
// random tokens and their hashes.
//
//	KEK      32 bytes in a file outside the database
//	  └─ data_key (wrapped under the KEK)
//	       ├─ seal, identity, documents, contact, family, complement, record
//	       │    one Tink keyset each: Box.Class(purpose), AES-256-GCM of column values;
//	       │    Box.Seal and Box.Open are those of "seal"
//	       ├─ index, by version
//	       │    Box.Index, Box.Indexer: HMAC-SHA-256, to look a sealed value up without opening it
//	       └─ legacy, where the database is older than the keysets
//	            opens what was sealed then; seals until "seal" is rotated for the first time
//
// A dump of the database without the KEK gives neither values nor a way to try candidates. Losing
// the KEK loses the data: back it up apart. A person's password is not here (idp/factor).
//
// # Rotation
//
//	Rotate   a new key seals from its commit on; the old ones still open
//	         (a new index version is known at once and used after IndexDelay)
//	         … whoever owns rows seals those again of which Current is false …
//	Retire   an old key goes
//	Rewrap   the KEK changes: the same keys under another
//
// Each sealed value names its key. Processes hear of a new key by NOTIFY and call Reload; one that
// meets a value before it has heard reads the keys again before it refuses.
//
// While two index versions live, store a row of each version that IndexVersions names, or look up
// under each: then no process misses what another wrote.
package secret
