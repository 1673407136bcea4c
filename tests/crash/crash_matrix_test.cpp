#include "tests/crash/crash_matrix.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace penstock::crash {
namespace {

void report(const char* name, const Scenario& scenario, const Tally& tally) {
  ::testing::Test::RecordProperty(std::string(name) + "_schedules", std::to_string(tally.schedules));
  std::printf("crash matrix: %-10s %8llu operations %8llu schedules %d violations\n", name,
              static_cast<unsigned long long>(tally.operations),
              static_cast<unsigned long long>(tally.schedules), tally.violation.empty() ? 0 : 1);
  if (tally.violation.empty()) return;
  std::string trace;
  (void)CrashMatrix::run_one(scenario, tally.at, &trace);
  ADD_FAILURE() << tally.violation << "\nPENSTOCK_REPLAY=\"" << tally.at.to_text()
                << "\" test_crash --gtest_filter=CrashMatrix.replay\n"
                << trace;
}

void run_matrix(const char* name, std::uint64_t stride = 1) {
  const Scenario* const scenario = find_scenario(name);
  ASSERT_NE(scenario, nullptr);
  report(name, *scenario, CrashMatrix::run(*scenario, CrashMatrix::options_from_environment(stride)));
}

TEST(CrashMatrix, every_kind_of_load_survives_an_end_at_every_operation) { run_matrix("loads"); }
TEST(CrashMatrix, file_ends_snapshots_and_restarts_survive_an_end_at_every_operation) {
  run_matrix("crossing");
}
TEST(CrashMatrix, dropped_tables_and_dead_files_survive_an_end_at_every_operation) {
  run_matrix("dropping", 5);
}
TEST(CrashMatrix, scans_beside_loads_and_drops_survive_an_end_at_every_operation) {
  run_matrix("scanning", 5);
}

TEST(CrashMatrix, many_log_files_at_a_time_survive_an_end_at_every_operation) {
  run_matrix("rare_snapshots", 5);
}
TEST(CrashMatrix, footers_in_files_of_dead_rows_survive_an_end_at_every_operation) {
  run_matrix("footers", 5);
}
TEST(CrashMatrix, a_load_that_outlives_its_table_survives_an_end_at_every_operation) {
  run_matrix("outliving", 5);
}
TEST(CrashMatrix, files_that_are_held_survive_an_end_at_every_operation) { run_matrix("holding", 5); }
TEST(CrashMatrix, truncated_tables_survive_an_end_at_every_operation) { run_matrix("truncating", 5); }
TEST(CrashMatrix, altered_tables_survive_an_end_at_every_operation) { run_matrix("altering", 5); }
TEST(CrashMatrix, a_footer_alone_in_a_dead_file_survives_an_end_at_every_operation) {
  run_matrix("footer_alone", 5);
}

TEST(CrashMatrix, two_phase_loads_survive_an_end_at_every_operation) { run_matrix("two_phase"); }
TEST(CrashMatrix, loads_that_stay_precommitted_survive_an_end_at_every_operation) {
  run_matrix("two_phase_later", 5);
}
TEST(CrashMatrix, precommitted_loads_of_dropped_tables_survive_an_end_at_every_operation) {
  run_matrix("two_phase_dropped", 5);
}
TEST(CrashMatrix, files_of_aborted_loads_go_and_an_end_at_every_operation_is_survived) {
  run_matrix("two_phase_aborted", 5);
}
TEST(CrashMatrix, an_abort_by_the_id_of_an_earlier_run_hits_nothing_else) {
  run_matrix("two_phase_old_ids", 5);
}

TEST(CrashMatrix, labels_in_runs_survive_an_end_at_every_operation) { run_matrix("labels", 5); }
TEST(CrashMatrix, journals_with_zeros_written_ahead_survive_an_end_at_every_operation) {
  run_matrix("prewritten", 5);
}
TEST(CrashMatrix, records_beside_their_rows_survive_an_end_at_every_operation) { run_matrix("beside", 3); }

// Other orders of the same things: many seeds, ended behind the scenario only.
TEST(CrashMatrix, whole_scenarios_hold_under_many_seeds) {
  CrashMatrix::Options options = CrashMatrix::options_from_environment();
  options.only_whole = true;
  options.seeds = 8 * std::min<std::uint64_t>(options.seeds, 20);
  options.second_crashes = 1;
  for (const Scenario& scenario : scenarios())
    report(scenario.name.c_str(), scenario, CrashMatrix::run(scenario, options));
}

TEST(CrashMatrix, the_same_schedule_gives_the_same_run) {
  const Scenario& scenario = *find_scenario("loads");
  const Schedule schedule{
      .scenario = "loads", .seed = 3, .k = 60, .end = {true, sim::UnsyncedPolicy::Random}};
  std::string first;
  std::string second;
  EXPECT_EQ(CrashMatrix::run_one(scenario, schedule, &first),
            CrashMatrix::run_one(scenario, schedule, &second));
  EXPECT_EQ(first, second);
  EXPECT_NE(first.find("write log-"), std::string::npos);
  EXPECT_EQ(Schedule::from_text(schedule.to_text())->to_text(), schedule.to_text());
}

// PENSTOCK_REPLAY="<schedule>" shows one schedule with its last operations.
TEST(CrashMatrix, replay) {
  const char* const text = std::getenv("PENSTOCK_REPLAY");
  if (text == nullptr) return;
  const auto schedule = Schedule::from_text(text);
  ASSERT_TRUE(schedule.has_value()) << text;
  const Scenario* const scenario = find_scenario(schedule->scenario);
  ASSERT_NE(scenario, nullptr) << schedule->scenario;
  std::string trace;
  const std::string violation = CrashMatrix::run_one(*scenario, *schedule, &trace);
  std::printf("%s", trace.c_str());
  EXPECT_EQ(violation, "");
}

}  // namespace
}  // namespace penstock::crash
