// Package archtest keeps docs/architecture.md true. Its tests read every Go file of the project
// and fail, with file and line, where
//
//   - an import goes against the direction of the layers, see layers and within
//   - echo leaves the handlers, pgx the stores, zitadel/oidc's op its adapter, see confined
//   - SQL stands outside a store, is no literal, or PostgreSQL refuses to PREPARE it on the
//     migrated schema
//
// A new package that no layer names fails too: give it its place here and in the architecture.
package archtest
