// Package review finds people whom the registry has twice, joins those of whom a machine may be
// sure, and keeps the others for a human to judge. docs/matching.md tells operators the same.
//
//	person.updated_at ──► match_todo ──► keys filed ──► candidates of the same block ──► decide
//	   (watermark)                      (match_block;                                     │
//	                                     match_near of a large one)                       │
//	                        auto: registry.Store.Merge by the machine ◄───────────────────┤
//	                        match_review: for a human ◄───────────────────────────────────┘
//
// It owns match_block, match_near, match_review, match_todo and match_progress. What agreement says,
// and when a machine may join, is registry/match; who stays and how values are computed is registry.
//
// Only what a source vouches for is compared: what somebody typed about themselves would let
// anybody be joined with anybody.
package review
