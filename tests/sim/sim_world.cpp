#include "tests/sim/sim_world.hpp"

#include <algorithm>

#include "core/base/check.hpp"

namespace penstock::sim {

using core::Instant;

const char* run_status_name(RunStatus status) {
  switch (status) {
    case RunStatus::Done:
      return "Done";
    case RunStatus::Crashed:
      return "Crashed";
    case RunStatus::Stuck:
      return "Stuck";
    case RunStatus::StepLimit:
      return "StepLimit";
  }
  return "Unknown";
}

// Members in this order: the kernels go last, after everything that may hold a Buffer of theirs.
struct SimWorld::Process {
  Process(SimScene& scene, std::uint32_t count) : handles(scene), shards(count), awake(count, true) {}

  SimHandles handles;
  std::vector<std::unique_ptr<SimKernel>> kernels;
  core::ShardSet shards;
  std::vector<std::uint32_t> order;
  std::vector<bool> awake;  // may have something to do
};

SimWorld::SimWorld(Options options) : options_(options), scene_(options.seed) {}

SimWorld::SimWorld(Options options, const SimDisk& disk) : options_(options), scene_(options.seed, disk) {}

SimWorld::~SimWorld() {
  if (process_ != nullptr) kill_process();
}

// ---- The process
// ------------------------------------------------------------------------------------------------------

core::ShardSet& SimWorld::start_process(std::uint32_t shards_count) {
  CHECK(process_ == nullptr);
  process_ = std::make_unique<Process>(scene_, shards_count);
  for (std::uint32_t i = 0; i < shards_count; ++i) {
    core::Shard& shard = process_->shards.at(i);
    process_->kernels.push_back(std::make_unique<SimKernel>(
        scene_, process_->handles, options_.kernel,
        [&shard](core::BufferRing ring) { shard.recv_turns().buffer_returned(ring); }));
    shard.attach(*process_->kernels.back());
    if (options_.shuffle_ready) {
      shard.ready().set_chooser(
          [](void* dice, std::size_t count) {
            return static_cast<std::size_t>(static_cast<SimRandom*>(dice)->below(count));
          },
          &scene_.schedule);
    }
  }
  scene_.on_crash = [this] {
    for (std::uint32_t i = 0; i < process_->shards.count(); ++i) process_->shards.at(i).ready().close();
  };
  return process_->shards;
}

core::ShardSet& SimWorld::shards() {
  CHECK(process_ != nullptr);
  return process_->shards;
}

core::Kernel& SimWorld::kernel(std::uint32_t index) {
  CHECK(process_ != nullptr);
  return *process_->kernels[index];
}

void SimWorld::start(std::uint32_t shard_index, core::Task<void> task) {
  if (scene_.crashed) return;  // it would never be resumed
  shards().at(shard_index).start(std::move(task));
}

bool SimWorld::has_tasks() const {
  if (process_ == nullptr) return false;
  for (std::uint32_t i = 0; i < process_->shards.count(); ++i) {
    if (!process_->shards.at(i).ready().roots().is_empty()) return true;
  }
  return false;
}

std::uint32_t SimWorld::open_handles() const {
  return process_ == nullptr ? 0 : process_->handles.open_count();
}

std::size_t SimWorld::buffers_out() const {
  std::size_t sum = 0;
  if (process_ == nullptr) return 0;
  for (const auto& kernel : process_->kernels) sum += kernel->buffers_out();
  return sum;
}

// The kernels first let go of what is in flight (its bytes lie in the frames), then the frames go, newest
// first.
void SimWorld::reclaim(std::vector<SimLostOp>& lost) {
  core::ShardSet& shards = process_->shards;
  for (const auto& kernel : process_->kernels) kernel->die(lost);
  for (std::uint32_t i = 0; i < shards.count(); ++i) shards.at(i).ready().close();
  for (;;) {
    core::Shard* newest = &shards.at(0u);
    for (std::uint32_t i = 1; i < shards.count(); ++i) {
      if (shards.at(i).ready().roots().newest_birth() > newest->ready().roots().newest_birth()) {
        newest = &shards.at(i);
      }
    }
    if (newest->ready().roots().is_empty()) break;
    newest->destroy_newest_root();
  }
}

void SimWorld::kill_process() {
  CHECK(process_ != nullptr);
  std::vector<SimLostOp> lost;
  reclaim(lost);
  scene_.disk.process_kill(lost, scene_.disk_dice);
  process_->handles.close_all();
  forget_process();
}

void SimWorld::lose_power(UnsyncedPolicy pages, NamesPolicy names) {
  std::vector<SimLostOp> lost;
  if (process_ != nullptr) {
    reclaim(lost);
    process_->handles.close_all();
    forget_process();
  }
  scene_.disk.power_loss(pages, names, lost, scene_.disk_dice);
}

void SimWorld::end_process() {
  CHECK(process_ != nullptr && !scene_.crashed);
  CHECK(!has_tasks());
  CHECK_EQ(open_handles(), 0u);
  CHECK_EQ(buffers_out(), 0u);
  kill_process();
}

void SimWorld::forget_process() {
  process_.reset();
  scene_.on_crash = nullptr;
  scene_.crashed = false;
  scene_.crash_at = 0;
}

// ---- Running
// ----------------------------------------------------------------------------------------------------------

void SimWorld::rouse() {
  if (process_ != nullptr) process_->awake.assign(process_->awake.size(), true);
}

Instant SimWorld::next_event() const {
  Instant next = Instant::never();
  for (const auto& kernel : process_->kernels) next = std::min(next, kernel->next_event());
  return next;
}

bool SimWorld::take_turn() {
  std::vector<std::uint32_t>& awake = process_->order;
  awake.clear();
  for (std::uint32_t i = 0; i < process_->awake.size(); ++i) {
    if (process_->awake[i]) awake.push_back(i);
  }
  if (awake.empty()) return false;
  const std::uint32_t index = awake[awake.size() == 1 ? 0 : scene_.schedule.below(awake.size())];
  if (process_->shards.at(index).turn(Instant{})) {
    scene_.now = scene_.now + core::Duration(options_.turn_nanos);
    rouse();  // it may have sent mail
  } else {
    process_->awake[index] = false;
  }
  return true;
}

bool SimWorld::take_step() {
  if (process_ == nullptr) return false;
  if (take_turn()) return true;
  const Instant next = next_event();
  if (next == Instant::never()) return false;
  scene_.advance_to(next);
  rouse();
  return true;
}

RunStatus SimWorld::run_for(core::Duration duration, std::uint64_t max_steps) {
  const Instant end = scene_.now + duration;
  rouse();
  for (std::uint64_t step = 0; step < max_steps; ++step) {
    if (scene_.crashed) return RunStatus::Crashed;
    if (scene_.now >= end) return RunStatus::Done;
    if (process_ != nullptr && take_turn()) continue;
    const Instant next = process_ == nullptr ? Instant::never() : next_event();
    scene_.advance_to(std::min(next, end));
    rouse();
  }
  return RunStatus::StepLimit;
}

void SimWorld::crash_at_op(std::uint64_t k, CrashPoint point) {
  CHECK(k == 0 || k > scene_.ops);
  scene_.crash_at = k;
  scene_.crash_point = point;
}

}  // namespace penstock::sim
