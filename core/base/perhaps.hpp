// Perhaps: rare paths that a simulator may take at will.
//
// A site asks `shard.perhaps(Perhaps::Site)` beside the condition that takes its path in production: a full file, a
// full batch, a full budget. UringKernel says no, for ever; a simulated kernel throws dice. Whatever a site does when the
// answer is yes must be right at any time: it is a path that production takes too, only for a reason.
//
// Journey:  a path that is rarely taken -> [Perhaps] -> Kernel::perhaps.
// Shard:    any; a value.
// Promise:  a site is asked for a block, a record, a batch or less often, never for a row: it costs one call that says no.
// Failure:  none.
#pragma once

#include <cstddef>
#include <cstdint>

namespace penstock::core {

enum class Perhaps : std::uint8_t {
  JournalFileIsFull,   // a record begins a new journal file though the current one has room
  JournalWritesEarly,  // a write buffer goes out with what is in it
  LogFileIsFull,       // a commit record begins the next log file though the current one has room
  SnapshotIsDue,       // a snapshot follows this record
  LabelsAreMany,       // labels go from memory into a run before they are many
  RecordIsFull,        // a commit record takes one request, the others wait for the next
  VoteIsFull,          // a vote takes one load, the others wait for the next
  SharedBlockIsFull,   // small loads of one vote do not share a block further
  TxnIdsAreOut,        // a new range of TxnIds is taken though some are left
  BudgetIsFull,        // the largest builder of a shard is written out though there is memory
  LookSeesNothing,     // nobody could look at an open load whose label is asked for again: asked once more
  DeadFilesAreWanted,  // journal files in which nothing lives are looked for behind this record
  BodyPieceIsShort,    // a piece of a body is handed on in two, though all of it is here
};
inline constexpr std::size_t kPerhapsCount = static_cast<std::size_t>(Perhaps::BodyPieceIsShort) + 1;

constexpr const char* perhaps_name(Perhaps site) {
  switch (site) {
    case Perhaps::JournalFileIsFull:
      return "JournalFileIsFull";
    case Perhaps::JournalWritesEarly:
      return "JournalWritesEarly";
    case Perhaps::LogFileIsFull:
      return "LogFileIsFull";
    case Perhaps::SnapshotIsDue:
      return "SnapshotIsDue";
    case Perhaps::LabelsAreMany:
      return "LabelsAreMany";
    case Perhaps::RecordIsFull:
      return "RecordIsFull";
    case Perhaps::VoteIsFull:
      return "VoteIsFull";
    case Perhaps::SharedBlockIsFull:
      return "SharedBlockIsFull";
    case Perhaps::TxnIdsAreOut:
      return "TxnIdsAreOut";
    case Perhaps::BudgetIsFull:
      return "BudgetIsFull";
    case Perhaps::LookSeesNothing:
      return "LookSeesNothing";
    case Perhaps::DeadFilesAreWanted:
      return "DeadFilesAreWanted";
    case Perhaps::BodyPieceIsShort:
      return "BodyPieceIsShort";
  }
  return "";
}

}  // namespace penstock::core
