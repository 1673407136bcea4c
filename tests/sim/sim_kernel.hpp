// SimKernel: a core::Kernel over a simulated disk, network and clock.
//
// A submitted Op gets a latency from the dice and completes from poll() once virtual time has passed it, in
// an order of the dice's choice; its effect happens at the completion, so until then a crash may find it
// done, not done, or done later. now() is frozen between two polls. Receive buffers are counted as in the
// real kernel's rings but each is an allocation of exactly its bytes plus the slack, so that the sanitizers
// see a use after it was given back.
//
// The kernels of one process share its handle table (SimHandles); all kernels share the SimScene: clock,
// disk, net, dice, the count of operations and the point at which the world is to stop. After that point a
// SimKernel is dead: it takes operations and never completes one.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/kernel/kernel.hpp"
#include "tests/sim/sim_disk.hpp"
#include "tests/sim/sim_net.hpp"
#include "tests/sim/sim_random.hpp"

namespace penstock::sim {

struct SimKernelOptions {
  std::uint32_t head_buffers = 256;
  std::uint32_t head_buffer_bytes = 4096;
  std::uint32_t body_buffers = 8;
  std::uint32_t body_buffer_bytes = 128 * 1024;
  std::uint32_t split_percent = 25;  // receives and sends that take only a part; half of those: a few bytes
  std::int64_t disk_nanos_max = 100'000;
  std::int64_t sync_nanos_max = 300'000;
  std::int64_t net_nanos_max = 20'000;
  bool check_stable_buffers =
      true;  // CHECK that data under a write or send is not changed before it completes
};

// The dice of rare paths (core/base/perhaps.hpp). Off until a test says how often a site is to say yes.
struct SimPerhaps {
  explicit SimPerhaps(std::uint64_t seed) : dice(seed, 5) {}
  bool ask(core::Perhaps site) {
    const auto at = static_cast<std::size_t>(site);
    if (!dice.percent(percent[at])) return false;
    ++fired[at];
    return true;
  }
  SimRandom dice;
  std::array<std::uint32_t, core::kPerhapsCount> percent{};
  std::array<std::uint64_t, core::kPerhapsCount> fired{};
};

// At which moment of operation number k the world stops.
enum class CrashPoint : std::uint8_t {
  Submit,    // it is in flight: done, not done or done later, as for all others in flight
  Complete,  // its effect has happened, its caller never hears of it
};

// What all kernels of a world share.
struct SimScene {
  explicit SimScene(std::uint64_t seed, const SimDisk& start = SimDisk())
      : disk(start),
        schedule(seed, 1),
        disk_dice(seed, 2),
        net_dice(seed, 3),
        entropy(seed, 4),
        perhaps(seed) {}
  SimScene(const SimScene&) = delete;
  SimScene& operator=(const SimScene&) = delete;

  SimDisk disk;
  SimNet net;
  SimRandom schedule;
  SimRandom disk_dice;
  SimRandom net_dice;
  SimRandom entropy;
  SimPerhaps perhaps;
  core::Instant now{1'000'000'000};
  std::int64_t wall_offset_micros = 1'700'000'000'000'000;  // wall = monotonic + this
  std::uint64_t ops = 0;                                    // submitted, ever
  std::uint64_t crash_at = 0;  // 0: never; else the 1-based number of the operation
  CrashPoint crash_point = CrashPoint::Submit;
  bool crashed = false;
  std::uint64_t processes = 0;  // started, ever
  std::uint64_t trace = 0;
  std::function<void()> on_crash;  // the world clears the ready queues
  std::function<void(std::uint64_t index, const core::Op& op)> on_submit;
  std::function<void(std::uint64_t index, const core::Op& op)> on_complete;

  core::Clock clock() const { return {now, now.nanos / 1000 + wall_offset_micros}; }
  void advance_to(core::Instant to) {
    if (now < to) now = to;
  }
  void crash();
};

// The open files, directories and sockets of one process; its kernels share it.
class SimHandles {
 public:
  struct Entry {
    SimInodeRef inode;
    SimListenerRef listener;
    SimConnectionRef connection;
    bool write = false;
    bool direct = false;
    bool is_used() const { return inode != nullptr || listener != nullptr || connection != nullptr; }
  };
  explicit SimHandles(SimScene& scene) : scene_(scene), process_(++scene.processes) {}
  int add(Entry entry);                 // the lowest free number, as Unix does
  const Entry* find(int handle) const;  // null: not open
  std::int64_t lock(int handle);
  std::int64_t close(int handle);
  std::uint32_t open_count() const;
  void close_all();  // as the kernel does for a process that died: connections are reset

 private:
  static constexpr int kFirstHandle = 3;
  std::uint64_t owner(int handle) const { return process_ << 32 | static_cast<std::uint32_t>(handle + 1); }
  void close_entry(int handle, bool hard);

  SimScene& scene_;
  const std::uint64_t process_;
  std::vector<Entry> entries_;
};

class SimKernel final : public core::Kernel, private core::BufferOwner {
 public:
  SimKernel(SimScene& scene, SimHandles& handles, SimKernelOptions options,
            std::function<void(core::BufferRing)> buffer_returned = {});
  SimKernel(const SimKernel&) = delete;
  SimKernel& operator=(const SimKernel&) = delete;
  ~SimKernel();

  void submit(core::Op& op) noexcept override;
  void cancel(core::Op& op) noexcept override;
  void poll(core::Instant deadline) override;
  core::Clock now() const noexcept override { return now_; }
  std::uint64_t entropy() noexcept override { return scene_.entropy.next(); }
  bool perhaps(core::Perhaps site) noexcept override { return scene_.perhaps.ask(site); }

  // When something will be due; never() if nothing in flight can complete by waiting.
  core::Instant next_event() const;
  std::size_t in_flight() const { return slots_.size(); }
  std::size_t buffers_out() const { return leases_out_; }
  void wake() { woken_ = true; }
  std::string listener_address(int handle) const;
  // The process died: hands over what was in flight on the disk, and takes no more part in anything. Buffers
  // may still be given back.
  void die(std::vector<SimLostOp>& lost);

 private:
  struct Slot {
    core::Op* op;
    core::Instant due;
    std::uint64_t index;       // the operation's number in the world
    std::uint64_t place;       // of the disk's history at submission
    std::uint64_t digest;      // of the bytes under a write or send
    SimHandles::Entry target;  // what the handle stood for at submission; unused: it was not open
    bool cancelled;
  };
  struct Ring {
    std::uint32_t free;
    std::uint32_t bytes_each;
  };
  struct Lease {
    std::unique_ptr<std::byte[]> bytes;
    core::BufferRing ring;
  };
  bool is_ready(const Slot& slot) const;
  bool could_happen(const Slot& slot) const;
  bool deliver_due();
  std::size_t first_in_line(std::size_t picked) const;
  void finish(std::size_t slot_index, std::int64_t result);
  std::int64_t execute(Slot& slot);
  std::int64_t execute_socket(Slot& slot);
  std::int64_t execute_file(Slot& slot);
  std::int64_t execute_name(Slot& slot);
  std::int64_t receive(core::Op& op, SimConnection& connection);
  std::int64_t send(core::Op& op, SimConnection& connection);
  std::int64_t latency(const core::Op& op);
  std::size_t split(std::size_t whole, SimRandom& dice);
  Ring& ring(core::BufferRing which) { return rings_[static_cast<std::size_t>(which)]; }
  void give_back(std::uint32_t id) noexcept override;

  SimScene& scene_;
  SimHandles& handles_;
  const SimKernelOptions options_;
  const std::function<void(core::BufferRing)> buffer_returned_;
  core::Clock now_;
  bool dead_ = false;
  bool woken_ = false;
  Ring rings_[2];
  std::size_t leases_out_ = 0;
  std::vector<Lease> leases_;
  std::vector<std::uint32_t> free_leases_;
  std::vector<Slot> slots_;
  std::vector<core::Op*> due_;
};

}  // namespace penstock::sim
