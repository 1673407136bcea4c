// UringWorld: the real kernel, a fresh temporary directory and plain sockets as peers, for the Kernel
// contract.
//
// Journey:  uring_kernel_test -> [UringWorld] -> UringKernel.   Shard: one, and a thread for wake_while.
// Promise:  the directory is removed at the end.   Failure:  a failed expectation.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "core/kernel/uring_kernel.hpp"
#include "core/memory/page_arena.hpp"
#include "tests/core/kernel/kernel_contract.hpp"

namespace penstock::core {

class SocketPeer final : public ContractPeer {
 public:
  explicit SocketPeer(int fd) : fd_(fd) {}
  ~SocketPeer() override {
    if (fd_ >= 0) ::close(fd_);
  }
  void send(std::string_view bytes) override {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  std::string receive() override {
    std::string all;
    char part[4096];
    for (;;) {
      const ssize_t got = ::recv(fd_, part, sizeof part, MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno == ECONNRESET)) ended_ = true;
      if (got <= 0) return all;
      all.append(part, static_cast<std::size_t>(got));
    }
  }
  bool is_ended() override { return ended_; }
  void end_sending() override { EXPECT_EQ(::shutdown(fd_, SHUT_WR), 0); }
  void reset() override {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    EXPECT_EQ(::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
  bool ended_ = false;
};

inline int connect_to(int listener_handle) {
  sockaddr_storage where{};
  socklen_t size = sizeof where;
  EXPECT_EQ(::getsockname(listener_handle, reinterpret_cast<sockaddr*>(&where), &size), 0);
  const int fd = ::socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&where), size), 0);
  return fd;
}

class UringWorld final : public KernelWorld {
 public:
  explicit UringWorld(std::uint32_t entries = 64) : arena_(8, kPage) {
    UringOptions options;
    options.entries = entries;
    options.head_buffers = kHeadBuffers;
    options.head_buffer_bytes = kHeadBufferBytes;
    options.body_buffers = kBodyBuffers;
    options.body_buffer_bytes = kBodyBufferBytes;
    options.write_arena = arena_.memory();
    options.buffer_returned = {[](void* self, BufferRing ring) {
                                 ++static_cast<UringWorld*>(self)->returned_[static_cast<std::size_t>(ring)];
                               },
                               this};
    auto made = UringKernel::make(options);
    if (!made) {
      ADD_FAILURE() << made.error();
      std::abort();
    }
    kernel_ = std::move(*made);
  }
  ~UringWorld() override {
    std::error_code ignored;
    if (!dir_.empty()) std::filesystem::remove_all(dir_, ignored);
  }

  UringKernel& kernel() override { return *kernel_; }
  std::string temp_dir_path() override {
    if (dir_.empty()) {
      const char* const base = std::getenv("TMPDIR");
      dir_ = std::string(base != nullptr ? base : "/tmp") + "/penstock_kernel_XXXXXX";
      EXPECT_NE(::mkdtemp(dir_.data()), nullptr);
    }
    return dir_;
  }
  std::span<std::byte> write_arena() override { return arena_.memory(); }
  int buffers_returned(BufferRing ring) override { return returned_[static_cast<std::size_t>(ring)]; }
  std::unique_ptr<ContractPeer> connect(int listener_handle) override {
    return std::make_unique<SocketPeer>(connect_to(listener_handle));
  }
  std::int64_t wake_while(const std::function<void()>& sleep) override {
    std::int64_t result = -1;
    std::thread waker([&] {
      auto second = UringKernel::make({.entries = 8, .body_buffers = 1, .head_buffers = 1});
      ASSERT_TRUE(second) << second.error();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      CountedOp wake(Op{.kind = OpKind::Wake, .target = kernel_.get()});
      (*second)->submit(wake);
      for (int i = 0; i < 1000 && !wake.is_done(); ++i) {
        (*second)->poll((*second)->now().monotonic + std::chrono::milliseconds(5));
      }
      EXPECT_EQ(wake.completions, 1);
      result = wake.result;
    });
    sleep();
    waker.join();
    return result;
  }

 private:
  PageArena arena_;
  std::array<int, 2> returned_{};
  std::unique_ptr<UringKernel> kernel_;
  std::string dir_;
};

}  // namespace penstock::core
