// Planted bugs: switches that take one durability call out, so that the crash matrix can show it finds each one.
//
// They exist in ONE extra build (preset `planted`); everywhere else planted() is the constant false and the sites compile
// to nothing.
//
// Journey:  beside every sync -> [planted] <- tests/crash chooses one.
// Shard:    set before any shard runs, read by all.
// Promise:  without PENSTOCK_PLANTED_BUGS no code is generated for a site.
// Failure:  none.
#pragma once

namespace penstock::core {

enum class Planted {
  None,
  SkipJournalSync,       // a precommit does not sync the journal file
  SkipSealedSync,        // a journal file that was sealed during a load is not synced with it
  SkipHelperSync,        // the journal of a shard that wrote blocks of another's load is not synced with it
  SkipJournalDirSync,    // a new journal file's name is not synced
  SkipLogSync,           // a commit record is answered without its fdatasync
  SkipLogDirSync,        // a new commit log file's name is not synced
  SkipLogPrewriteSync,   // the next commit log file (its header) is not synced before it is used
  SkipSnapshotSync,      // a snapshot's bytes are not synced before the record that names it
  SkipSnapshotDirSync,   // a snapshot's name is not synced before the record that names it
  SkipBootSync,          // recovery answers before its Boot record is synced
  SkipBootDirSync,       // recovery answers before the name of its log file is synced
  SkipBootRepeat,        // Boot does not repeat the last accepted record
  SkipPoison,            // a failed fdatasync is taken for done
  SkipPoisonWrite,       // a failed write of a commit record is retried as if nothing had happened
  ReplyBeforeRecord,     // Success before the record is synced
  UnlinkBeforeSnapshot,  // old logs are unlinked before the record that names the snapshot is synced
  IgnoreBootCut,         // recovery takes what lies in an old log behind the point that a later Boot accepted
  ForgetFooterFiles,     // a journal file is unlinked though a footer in it would be read by a recovery
  UnlinkPinnedFiles,     // a journal file is unlinked under a scan, and under a load that has not ended
  ForgetPrepared,        // a snapshot leaves the precommitted loads out
  UnlinkPreparedFiles,   // a journal file is unlinked though a precommitted load has rows in it
  PrecommitBeforeRecord,  // a two-phase load is answered before its Prepared record is synced
  CommitBeforeRecord,     // a client's commit is answered before its record is synced
  AbortBeforeRecord,      // a client's abort is answered before its record is synced
  ReadAbortedFooters,     // a recovery reads the footers of a prepared load that a later record aborts
  ReuseTxnIds,            // a new run gives out TxnIds that an earlier one gave out
  DropVote,               // of a vote with several footers the last one does not reach the record
  SkipLabelRunSync,       // a label run's bytes are not synced before the record of a snapshot that names it
  ForgetLabelRuns,        // a snapshot leaves the label runs out
  FailAfterRecord,  // a failed write or fdatasync of a commit record is answered Fail; the record may be there
  ShareBlockAcrossFates,  // rows of a two-phase load go into the block that plain loads share
  BudgetWaitsForLoad,     // a load that finds the memory full waits until another one has ended
  AppendToOldFile,        // a run goes on writing the newest journal file of an earlier one
  ReplayRunsBackwards,    // recovery replays the records of older runs behind those of newer ones
  UnlinkBeforeBoot,  // recovery unlinks the commit logs that it has read before its own first record is durable
  DropFullTail,      // recovery takes a last record that ends where its file ends for torn
  PublishBeforeSync,  // rows are shown to scans before the record that makes them visible is synced
  OvertakeZeros,      // a record is written to a place that zeros are still being written to
  TrustInFlight,      // recovery takes a last record whose rows were in flight without a look at them
  SkipPieceRepeat,    // Boot does not repeat rows that were written beside the last record
  SkipPieceRewrite,   // such rows are not written again to their place
  SkipInFlightWait,   // a record's loads are answered while their rows are still being written
  OvertakeInFlight,   // the next record is written while rows of the last one are still being written
  UnlinkMergedRuns,  // label runs are unlinked when they are merged, not when a snapshot without them is durable
};

#ifdef PENSTOCK_PLANTED_BUGS
inline Planted planted_bug = Planted::None;
inline bool planted(Planted bug) { return planted_bug == bug; }
#else
constexpr bool planted(Planted) { return false; }
#endif

}  // namespace penstock::core
