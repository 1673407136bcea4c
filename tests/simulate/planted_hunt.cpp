#include "tests/simulate/planted_hunt.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include "core/base/planted.hpp"
#include "tests/simulate/simulation.hpp"

namespace penstock::simulate {

#ifndef PENSTOCK_PLANTED_BUGS

int hunt_planted_bugs(const std::string&, std::uint64_t, int) {
  fmt::print(stderr,
             "simulate --planted: this build has no planted bugs: use the preset 'planted' (tools/dev sim "
             "--planted)\n");
  return 2;
}

#else

namespace {

struct Case {
  core::Planted bug;
  const char* name;
};
constexpr Case kCases[] = {
    {core::Planted::SkipJournalSync, "SkipJournalSync"},
    {core::Planted::SkipSealedSync, "SkipSealedSync"},
    {core::Planted::SkipHelperSync, "SkipHelperSync"},
    {core::Planted::SkipJournalDirSync, "SkipJournalDirSync"},
    {core::Planted::SkipLogSync, "SkipLogSync"},
    {core::Planted::SkipLogDirSync, "SkipLogDirSync"},
    {core::Planted::SkipLogPrewriteSync, "SkipLogPrewriteSync"},
    {core::Planted::SkipSnapshotSync, "SkipSnapshotSync"},
    {core::Planted::SkipSnapshotDirSync, "SkipSnapshotDirSync"},
    {core::Planted::SkipBootSync, "SkipBootSync"},
    {core::Planted::SkipBootDirSync, "SkipBootDirSync"},
    {core::Planted::SkipBootRepeat, "SkipBootRepeat"},
    {core::Planted::SkipPoison, "SkipPoison"},
    {core::Planted::SkipPoisonWrite, "SkipPoisonWrite"},
    {core::Planted::ReplyBeforeRecord, "ReplyBeforeRecord"},
    {core::Planted::UnlinkBeforeSnapshot, "UnlinkBeforeSnapshot"},
    {core::Planted::IgnoreBootCut, "IgnoreBootCut"},
    {core::Planted::ForgetFooterFiles, "ForgetFooterFiles"},
    {core::Planted::UnlinkPinnedFiles, "UnlinkPinnedFiles"},
    {core::Planted::ForgetPrepared, "ForgetPrepared"},
    {core::Planted::UnlinkPreparedFiles, "UnlinkPreparedFiles"},
    {core::Planted::PrecommitBeforeRecord, "PrecommitBeforeRecord"},
    {core::Planted::CommitBeforeRecord, "CommitBeforeRecord"},
    {core::Planted::AbortBeforeRecord, "AbortBeforeRecord"},
    {core::Planted::ReadAbortedFooters, "ReadAbortedFooters"},
    {core::Planted::ReuseTxnIds, "ReuseTxnIds"},
    {core::Planted::DropVote, "DropVote"},
    {core::Planted::SkipLabelRunSync, "SkipLabelRunSync"},
    {core::Planted::ForgetLabelRuns, "ForgetLabelRuns"},
    {core::Planted::FailAfterRecord, "FailAfterRecord"},
    {core::Planted::ShareBlockAcrossFates, "ShareBlockAcrossFates"},
    {core::Planted::BudgetWaitsForLoad, "BudgetWaitsForLoad"},
    {core::Planted::AppendToOldFile, "AppendToOldFile"},
    {core::Planted::ReplayRunsBackwards, "ReplayRunsBackwards"},
    {core::Planted::UnlinkBeforeBoot, "UnlinkBeforeBoot"},
    {core::Planted::DropFullTail, "DropFullTail"},
    {core::Planted::PublishBeforeSync, "PublishBeforeSync"},
    {core::Planted::OvertakeZeros, "OvertakeZeros"},
    {core::Planted::TrustInFlight, "TrustInFlight"},
    {core::Planted::SkipInFlightWait, "SkipInFlightWait"},
    {core::Planted::OvertakeInFlight, "OvertakeInFlight"},
    {core::Planted::UnlinkMergedRuns, "UnlinkMergedRuns"},
};

// How far a child is, and what it has found. (It may end by a CHECK, without a word.)
struct Word {
  std::uint64_t seed = 0;
  std::array<char, 120> violation{};
};

// The seed that shows the bug; 0: none. Each stretch of seeds runs in a child, which a CHECK may end.
Word find(core::Planted bug, std::uint64_t seeds_max, int lives) {
  constexpr std::uint64_t kStretch = 25;
  for (std::uint64_t first = 1; first <= seeds_max; first += kStretch) {
    int pipe_ends[2];
    if (::pipe(pipe_ends) != 0) return {};
    const pid_t child = ::fork();
    if (child == 0) {
      core::planted_bug = bug;
      if (std::freopen("/dev/null", "w", stderr) == nullptr) ::_exit(3);
      for (std::uint64_t seed = first; seed < first + kStretch && seed <= seeds_max; ++seed) {
        Word word{.seed = seed};
        if (::write(pipe_ends[1], &word, sizeof word) != sizeof word) ::_exit(3);
        const std::string violation =
            simulate({.seed = seed, .lives = lives, .print_events = false}).violation;
        if (violation.empty()) continue;
        std::copy_n(violation.begin(), std::min(violation.size(), word.violation.size() - 1),
                    word.violation.begin());
        (void)!::write(pipe_ends[1], &word, sizeof word);
        ::_exit(1);
      }
      ::_exit(0);
    }
    ::close(pipe_ends[1]);
    Word last;
    Word each;
    while (::read(pipe_ends[0], &each, sizeof each) == sizeof each) last = each;
    ::close(pipe_ends[0]);
    int status = 0;
    (void)::waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return last;
  }
  return {};
}

}  // namespace

int hunt_planted_bugs(const std::string& only, std::uint64_t seeds_max, int lives) {
  int tried = 0;
  int found = 0;
  for (const Case& each : kCases) {
    if (!only.empty() && only != each.name) continue;
    ++tried;
    const Word word = find(each.bug, seeds_max, lives);
    if (word.seed != 0) ++found;
    const char* const violation = word.violation.front() != 0 ? word.violation.data() : "a CHECK failed";
    fmt::print("{:<24} {}\n", each.name,
               word.seed != 0 ? fmt::format("found after {:>3} seeds: {}", word.seed, violation)
                              : fmt::format("NOT FOUND in {} seeds", seeds_max));
    std::fflush(stdout);
  }
  fmt::print("{} of {} planted bugs found\n", found, tried);
  if (tried == 0) fmt::print("there is no planted bug '{}'\n", only);
  return tried > 0 && found == tried ? 0 : 1;
}

#endif

}  // namespace penstock::simulate
