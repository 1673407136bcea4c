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

// PENSTOCK_PLANTED_LIST(X): X(name) for each.
#define PENSTOCK_PLANTED_LIST(X) \
  /* a precommit does not sync the journal file */ \
  X(SkipJournalSync) \
  /* a journal file that was sealed during a load is not synced with it */ \
  X(SkipSealedSync) \
  /* a new journal file's name is not synced */ \
  X(SkipJournalDirSync) \
  /* a commit record is answered without its fdatasync */ \
  X(SkipLogSync) \
  /* a new commit log file's name is not synced */ \
  X(SkipLogDirSync) \
  /* the next commit log file (its header) is not synced before it is used */ \
  X(SkipLogPrewriteSync) \
  /* a snapshot's bytes are not synced before the record that names it */ \
  X(SkipSnapshotSync) \
  /* a snapshot's name is not synced before the record that names it */ \
  X(SkipSnapshotDirSync) \
  /* recovery answers before its Boot record is synced */ \
  X(SkipBootSync) \
  /* recovery answers before the name of its log file is synced */ \
  X(SkipBootDirSync) \
  /* Boot does not repeat the last accepted record */ \
  X(SkipBootRepeat) \
  /* a failed fdatasync is taken for done */ \
  X(SkipPoison) \
  /* a failed write of a commit record is retried as if nothing had happened */ \
  X(SkipPoisonWrite) \
  /* Success before the record is synced */ \
  X(ReplyBeforeRecord) \
  /* old logs are unlinked before the record that names the snapshot is synced */ \
  X(UnlinkBeforeSnapshot) \
  /* recovery takes what lies in an old log behind the point that a later Boot accepted */ \
  X(IgnoreBootCut) \
  /* a journal file is unlinked though a footer in it would be read by a recovery */ \
  X(ForgetFooterFiles) \
  /* a journal file is unlinked under a scan, and under a load that has not ended */ \
  X(UnlinkPinnedFiles) \
  /* a snapshot leaves the precommitted loads out */ \
  X(ForgetPrepared) \
  /* a journal file is unlinked though a precommitted load has rows in it */ \
  X(UnlinkPreparedFiles) \
  /* a two-phase load is answered before its Prepared record is synced */ \
  X(PrecommitBeforeRecord) \
  /* a client's commit is answered before its record is synced */ \
  X(CommitBeforeRecord) \
  /* a client's abort is answered before its record is synced */ \
  X(AbortBeforeRecord) \
  /* of a vote with several footers the last one does not reach the record */ \
  X(DropVote)

enum class Planted {
  None,
#define PENSTOCK_PLANTED_NAME(name) name,
  PENSTOCK_PLANTED_LIST(PENSTOCK_PLANTED_NAME)
#undef PENSTOCK_PLANTED_NAME
};

#ifdef PENSTOCK_PLANTED_BUGS
inline Planted planted_bug = Planted::None;
inline bool planted(Planted bug) { return planted_bug == bug; }
#else
constexpr bool planted(Planted) { return false; }
#endif

}  // namespace penstock::core
