// The Kernel contract: what every Kernel must do, as sentences. The real one and the simulated one run the
// same cases, so that the model cannot drift from Linux.
//
// A test file makes a KernelWorld, and says once:
//   INSTANTIATE_TEST_SUITE_P(Uring, KernelContract, testing::Values(WorldMaker{"uring", make_world}),
//   world_name);
//
// Journey:  tests/core/kernel and tests/sim -> [KernelContract] -> Kernel.
// Shard:    one thread; only wake_while() may use another.
// Promise:  a Kernel that passes behaves as op.hpp says.
// Failure:  a failed expectation names the case.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/kernel/kernel.hpp"

namespace penstock::core {

// The far end of a connection, played by the harness. None of these waits.
class ContractPeer {
 public:
  virtual ~ContractPeer() = default;
  virtual void send(std::string_view bytes) = 0;  // small enough to be taken whole
  virtual std::string receive() = 0;              // what has arrived by now; may be empty
  virtual bool is_ended() = 0;                    // our side was ended (after receive() has taken everything)
  virtual void end_sending() = 0;                 // an orderly end of the peer's side
  virtual void reset() = 0;                       // a hard end: what is under way on our side fails
};

struct KernelWorld {
  // The world makes its Kernel with exactly these, so that the rings can be emptied in a test.
  static constexpr std::size_t kHeadBuffers = 4;
  static constexpr std::size_t kHeadBufferBytes = 4096;
  static constexpr std::size_t kBodyBuffers = 2;
  static constexpr std::size_t kBodyBufferBytes = 64 * kKiB;

  virtual ~KernelWorld() = default;
  virtual Kernel& kernel() = 0;
  virtual std::string temp_dir_path() = 0;            // an existing, empty directory
  virtual std::span<std::byte> write_arena() = 0;     // at least 4 pages, page aligned, known to the kernel
  virtual int buffers_returned(BufferRing ring) = 0;  // how often the kernel told that a Buffer came back
  virtual std::string listen_address() { return "127.0.0.1:0"; }
  virtual std::unique_ptr<ContractPeer> connect(int listener_handle) = 0;
  // Runs `sleep` while a second Kernel submits a Wake whose target is kernel(); returns the Wake's result.
  virtual std::int64_t wake_while(const std::function<void()>& sleep) = 0;
  // Lets the world go on a little: at least one poll of kernel(), waiting a few milliseconds at most.
  virtual void pump() { kernel().poll(kernel().now().monotonic + std::chrono::milliseconds(5)); }
};

struct WorldMaker {
  const char* name;
  std::unique_ptr<KernelWorld> (*make)();
};
inline void PrintTo(const WorldMaker& maker, std::ostream* out) { *out << maker.name; }
inline std::string world_name(const testing::TestParamInfo<WorldMaker>& info) { return info.param.name; }

// An Op that counts its completions.
struct CountedOp : Op {
  explicit CountedOp(Op request) : Op(std::move(request)) {
    complete = [](Op& op) { ++static_cast<CountedOp&>(op).completions; };
  }
  CountedOp(const CountedOp&) = delete;
  CountedOp& operator=(const CountedOp&) = delete;
  bool is_done() const { return completions > 0; }
  int completions = 0;
};

class KernelContract : public testing::TestWithParam<WorldMaker> {
 protected:
  KernelContract() : world_(GetParam().make()) {}

  KernelWorld& world() { return *world_; }
  Kernel& kernel() { return world_->kernel(); }
  Instant now() { return kernel().now().monotonic; }

  bool pump_until(const std::function<bool()>& condition, int polls = 2000) {
    for (int i = 0; i < polls && !condition(); ++i) world_->pump();
    return condition();
  }
  // Submits and waits for the completion.
  std::int64_t run(CountedOp& op) {
    kernel().submit(op);
    EXPECT_EQ(op.completions, 0) << "completed inside submit()";
    EXPECT_TRUE(pump_until([&] { return op.is_done(); })) << "never completed";
    EXPECT_EQ(op.completions, 1);
    return op.result;
  }
  std::int64_t run(Op request) {
    CountedOp op(std::move(request));
    return run(op);
  }

  int open_dir() {
    if (dir_path_.empty()) dir_path_ = world_->temp_dir_path();
    return static_cast<int>(run(Op{.kind = OpKind::OpenDir, .path = dir_path_.c_str()}));
  }
  std::int64_t open(int dir, const char* name, OpenFlags flags) {
    return run(Op{.kind = OpKind::Open, .open = flags, .handle = dir, .path = name});
  }
  int create(int dir, const char* name) {
    return static_cast<int>(open(dir, name, {.write = true, .create_exclusive = true}));
  }
  std::int64_t write(int file, std::uint64_t offset, std::string_view text) {
    return run(Op{.kind = OpKind::Write,
                  .handle = file,
                  .offset = offset,
                  .length = text.size(),
                  .data = reinterpret_cast<std::byte*>(const_cast<char*>(text.data()))});
  }
  // A new one, with 8 pages of reserved space.
  int reserved_file(int dir, bool direct) {
    const int file = static_cast<int>(
        open(dir, direct ? "direct" : "cached", {.write = true, .create_exclusive = true, .direct = direct}));
    EXPECT_EQ(run(Op{.kind = OpKind::Allocate, .handle = file, .length = 8 * kPage}), 0);
    return file;
  }
  std::int64_t write_durably(int file, std::uint64_t offset, std::span<std::byte> bytes) {
    return run(Op{.kind = OpKind::Write,
                  .durable = true,
                  .handle = file,
                  .offset = offset,
                  .length = bytes.size(),
                  .data = bytes.data()});
  }
  std::string read(int file, std::uint64_t offset, std::size_t length) {
    std::string text(length, '?');
    const std::int64_t got = run(Op{.kind = OpKind::Read,
                                    .handle = file,
                                    .offset = offset,
                                    .length = length,
                                    .data = reinterpret_cast<std::byte*>(text.data())});
    EXPECT_GE(got, 0);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }
  std::int64_t size(int file) { return run(Op{.kind = OpKind::Size, .handle = file}); }
  std::int64_t close(int handle) { return run(Op{.kind = OpKind::Close, .handle = handle}); }
  std::vector<std::string> list(int dir) {
    std::vector<std::string> names;
    EXPECT_GE(run(Op{.kind = OpKind::List, .handle = dir, .names = &names}), 0);
    return names;
  }
  int listen() {
    const std::string address = world_->listen_address();
    return static_cast<int>(run(Op{.kind = OpKind::Listen, .path = address.c_str()}));
  }
  // A connection: our handle, and the peer.
  int accept(int listener, std::unique_ptr<ContractPeer>& peer) {
    peer = world_->connect(listener);
    return static_cast<int>(run(Op{.kind = OpKind::Accept, .handle = listener}));
  }
  std::int64_t send(int connection, std::string_view text) {
    return run(Op{.kind = OpKind::Send,
                  .handle = connection,
                  .length = text.size(),
                  .data = reinterpret_cast<std::byte*>(const_cast<char*>(text.data()))});
  }
  static Op recv(int connection, BufferRing ring) {
    return Op{.kind = OpKind::Recv, .buffers = ring, .handle = connection};
  }
  static std::string text_of(const Buffer& buffer) { return std::string(as_text_view(buffer.bytes())); }
  static std::string_view as_text_view(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

 private:
  std::unique_ptr<KernelWorld> world_;
  std::string dir_path_;
};

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(KernelContract);

}  // namespace penstock::core

#include "tests/core/kernel/kernel_contract_files.hpp"
#include "tests/core/kernel/kernel_contract_sockets.hpp"
#include "tests/core/kernel/kernel_contract_time.hpp"
