// The matrix must be able to fail: each durability call is taken out in turn, and each must be found.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "core/base/planted.hpp"
#include "tests/crash/crash_matrix.hpp"

namespace penstock::crash {
namespace {

using core::Planted;

struct Case {
  Planted bug;
  const char* name;
  const char* begins_with = "";  // the scenarios that are tried first
};
constexpr Case kCases[] = {
    {Planted::SkipJournalSync, "SkipJournalSync"},
    {Planted::SkipSealedSync, "SkipSealedSync"},
    {Planted::SkipJournalDirSync, "SkipJournalDirSync"},
    {Planted::SkipLogSync, "SkipLogSync"},
    {Planted::SkipLogDirSync, "SkipLogDirSync"},
    {Planted::SkipLogPrewriteSync, "SkipLogPrewriteSync"},
    {Planted::SkipSnapshotSync, "SkipSnapshotSync"},
    {Planted::SkipSnapshotDirSync, "SkipSnapshotDirSync"},
    {Planted::SkipBootSync, "SkipBootSync"},
    {Planted::SkipBootDirSync, "SkipBootDirSync"},
    {Planted::SkipBootRepeat, "SkipBootRepeat"},
    {Planted::SkipPoison, "SkipPoison"},
    {Planted::SkipPoisonWrite, "SkipPoisonWrite"},
    {Planted::ReplyBeforeRecord, "ReplyBeforeRecord"},
    {Planted::UnlinkBeforeSnapshot, "UnlinkBeforeSnapshot"},
    {Planted::IgnoreBootCut, "IgnoreBootCut"},
    {Planted::ForgetFooterFiles, "ForgetFooterFiles"},
    {Planted::UnlinkPinnedFiles, "UnlinkPinnedFiles"},
    {Planted::ForgetPrepared, "ForgetPrepared", "two_phase"},
    {Planted::UnlinkPreparedFiles, "UnlinkPreparedFiles", "two_phase"},
    {Planted::PrecommitBeforeRecord, "PrecommitBeforeRecord", "two_phase"},
    {Planted::CommitBeforeRecord, "CommitBeforeRecord", "two_phase"},
    {Planted::AbortBeforeRecord, "AbortBeforeRecord", "two_phase"},
    {Planted::ReadAbortedFooters, "ReadAbortedFooters", "two_phase_aborted"},
    {Planted::ReuseTxnIds, "ReuseTxnIds", "two_phase_old_ids"},
    {Planted::DropVote, "DropVote"},
    {Planted::SkipLabelRunSync, "SkipLabelRunSync", "labels"},
    {Planted::ForgetLabelRuns, "ForgetLabelRuns", "labels"},
    {Planted::UnlinkMergedRuns, "UnlinkMergedRuns", "labels"},
    {Planted::AppendToOldFile, "AppendToOldFile"},
    {Planted::ReplayRunsBackwards, "ReplayRunsBackwards"},
    {Planted::UnlinkBeforeBoot, "UnlinkBeforeBoot"},
    {Planted::DropFullTail, "DropFullTail"},
    {Planted::TrustInFlight, "TrustInFlight", "beside"},
    {Planted::SkipPieceRepeat, "SkipPieceRepeat", "prewritten"},
    {Planted::SkipPieceRewrite, "SkipPieceRewrite", "beside"},
    {Planted::SkipInFlightWait, "SkipInFlightWait", "beside"},
    {Planted::OvertakeInFlight, "OvertakeInFlight", "beside"},
};
constexpr std::uint64_t kSchedulesMax = 40'000;

class PlantedBug : public ::testing::TestWithParam<Case> {};

TEST_P(PlantedBug, is_found) {
  core::planted_bug = GetParam().bug;
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t schedules = 0;
  std::string violation;
  std::string where;
  const auto walk = [&](const Scenario& scenario, CrashMatrix::Options options) {
    if (!violation.empty() || schedules >= kSchedulesMax) return;
    const Tally tally = CrashMatrix::run(scenario, options);
    schedules += tally.schedules;
    violation = tally.violation;
    where = tally.at.to_text();
  };
  // Sparse first, over everything; then dense. (An operation at which a bug shows is rarely alone.)
  for (const std::uint64_t stride : {7u, 1u}) {
    std::vector<Scenario> all = scenarios();
    std::stable_partition(all.begin(), all.end(), [](const Scenario& scenario) {
      return *GetParam().begins_with != 0 && scenario.name.starts_with(GetParam().begins_with);
    });
    for (const Scenario& scenario : all) {
      walk(scenario, {.seeds = 2, .stride = stride, .second_crashes = 2, .schedules_max = 6000});
    }
    if (stride == 1) break;
    for (const Scenario& scenario : fault_scenarios()) walk(scenario, {.only_whole = true});
    for (const Scenario& scenario : fault_scenarios()) walk(scenario, {.stride = 9, .second_crashes = 0});
  }
  const auto took = std::chrono::steady_clock::now() - began;
  std::printf("planted: %-22s found after %6llu schedules, %5lld ms: %s [%s]\n", GetParam().name,
              static_cast<unsigned long long>(schedules),
              static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()),
              violation.substr(0, 100).c_str(), where.c_str());
  core::planted_bug = Planted::None;
  EXPECT_FALSE(violation.empty()) << GetParam().name << " was not found in " << schedules << " schedules";
}

INSTANTIATE_TEST_SUITE_P(Each, PlantedBug, ::testing::ValuesIn(kCases),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace penstock::crash
