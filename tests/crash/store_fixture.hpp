// StoreFixture: a test over StoreWorlds, without the log's lines, in which a store opens or the test fails.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/base/log.hpp"
#include "tests/crash/store_world.hpp"

namespace penstock::crash {

class StoreFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    core::set_log_sink([](core::LogLevel, std::string_view) {});
  }
  void TearDown() override { core::set_log_sink({}); }
  static void open_well(StoreWorld& world) {
    std::string error;
    ASSERT_EQ(world.open(error), sim::RunStatus::Done);
    ASSERT_EQ(error, "");
  }
};

}  // namespace penstock::crash
