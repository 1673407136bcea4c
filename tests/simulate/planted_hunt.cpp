#include "tests/simulate/planted_hunt.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

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
    {core::Planted::UnlinkMergedRuns, "UnlinkMergedRuns"},
};

// The seed that shows it; 0: none. A bug may end the process by a CHECK: each stretch runs in a child.
std::uint64_t find(core::Planted bug, std::uint64_t seeds_max, int lives) {
  constexpr std::uint64_t kStretch = 25;
  for (std::uint64_t first = 1; first <= seeds_max; first += kStretch) {
    int pipe_ends[2];
    if (::pipe(pipe_ends) != 0) return 0;
    const pid_t child = ::fork();
    if (child == 0) {
      core::planted_bug = bug;
      if (std::freopen("/dev/null", "w", stderr) == nullptr) ::_exit(3);
      for (std::uint64_t seed = first; seed < first + kStretch && seed <= seeds_max; ++seed) {
        if (::write(pipe_ends[1], &seed, sizeof seed) != sizeof seed)
          ::_exit(3);  // where a CHECK would end it
        if (!simulate({.seed = seed, .lives = lives, .print_events = false}).violation.empty()) ::_exit(1);
      }
      ::_exit(0);
    }
    ::close(pipe_ends[1]);
    std::uint64_t last = 0;
    std::uint64_t each = 0;
    while (::read(pipe_ends[0], &each, sizeof each) == sizeof each) last = each;
    ::close(pipe_ends[0]);
    int status = 0;
    (void)::waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return last;
  }
  return 0;
}

}  // namespace

int hunt_planted_bugs(const std::string& only, std::uint64_t seeds_max, int lives) {
  int tried = 0;
  int found = 0;
  for (const Case& each : kCases) {
    if (!only.empty() && only != each.name) continue;
    ++tried;
    const std::uint64_t seed = find(each.bug, seeds_max, lives);
    if (seed != 0) ++found;
    fmt::print("{:<26} {}\n", each.name,
               seed != 0 ? fmt::format("found after {} seeds", seed)
                         : fmt::format("NOT FOUND in {} seeds", seeds_max));
    std::fflush(stdout);
  }
  fmt::print("{} of {} planted bugs found\n", found, tried);
  if (tried == 0) fmt::print("there is no planted bug '{}'\n", only);
  return tried > 0 && found == tried ? 0 : 1;
}

#endif

}  // namespace penstock::simulate
