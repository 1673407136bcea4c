#include "core/io/stream.hpp"

#include <cerrno>

#include "core/io/recv_turns.hpp"

namespace penstock::core {

Task<Result<Buffer>> Stream::recv(BufferRing ring) {
  recv_cancelled_ = false;
  for (;;) {
    if (cancelled_ || recv_cancelled_) co_return fail(Errc::Cancelled, "receiving");
    const std::uint64_t before = turns_->moment(ring);
    AwaitOp op(*kernel_, Op{.kind = OpKind::Recv, .buffers = ring, .handle = handle_});
    recv_in_flight_ = &op;
    const std::int64_t result = co_await op;
    recv_in_flight_ = nullptr;
    if (result > 0) co_return std::move(op.buffer);
    if (result != -ENOBUFS) {
      turns_->pass_on(ring);
      if (result == 0) co_return Buffer();
      co_return std::unexpected(error_from_os(static_cast<std::int32_t>(-result), "receiving"));
    }
    co_await turns_->wait(ring, before);
  }
}

Task<Result<std::size_t>> Stream::recv_into(std::span<std::byte> memory) {
  recv_cancelled_ = false;
  if (cancelled_) co_return fail(Errc::Cancelled, "receiving");
  AwaitOp op(*kernel_,
             Op{.kind = OpKind::Recv, .handle = handle_, .length = memory.size(), .data = memory.data()});
  recv_in_flight_ = &op;
  const std::int64_t result = co_await op;
  recv_in_flight_ = nullptr;
  if (result < 0) co_return std::unexpected(error_from_os(static_cast<std::int32_t>(-result), "receiving"));
  co_return static_cast<std::size_t>(result);
}

Task<Result<>> Stream::send_all(Bytes bytes) {
  while (!bytes.empty()) {
    if (cancelled_) co_return fail(Errc::Cancelled, "sending");
    AwaitOp op(*kernel_, Op{.kind = OpKind::Send,
                            .handle = handle_,
                            .length = bytes.size(),
                            .data = const_cast<std::byte*>(bytes.data())});
    send_in_flight_ = &op;
    const std::int64_t result = co_await op;
    send_in_flight_ = nullptr;
    if (result < 0) co_return std::unexpected(error_from_os(static_cast<std::int32_t>(-result), "sending"));
    bytes = bytes.subspan(static_cast<std::size_t>(result));
  }
  co_return Result<>{};
}

Task<void> Stream::shutdown() {
  if (handle_ < 0) co_return;
  (void)co_await ResultOp(*kernel_, "shutting a connection down",
                          Op{.kind = OpKind::Shutdown, .handle = handle_});
}

Task<void> Stream::close() {
  if (handle_ < 0) co_return;
  CHECK(recv_in_flight_ == nullptr && send_in_flight_ == nullptr);
  const int handle = std::exchange(handle_, -1);
  (void)co_await ResultOp(*kernel_, "closing a connection", Op{.kind = OpKind::Close, .handle = handle});
}

void Stream::cancel() {
  if (cancelled_) return;
  cancelled_ = true;
  if (recv_in_flight_ != nullptr) kernel_->cancel(*recv_in_flight_);
  if (send_in_flight_ != nullptr) kernel_->cancel(*send_in_flight_);
  turns_->wake_all();  // it may be waiting for a buffer; the others look again and wait on
}

void Stream::cancel_recv() {
  recv_cancelled_ = true;
  if (recv_in_flight_ != nullptr) kernel_->cancel(*recv_in_flight_);
  turns_->wake_all();
}

Task<Result<Listener>> Listener::open(Kernel& kernel, std::string address) {
  CO_TRY(const std::uint64_t handle,
         co_await ResultOp(kernel, "listening", Op{.kind = OpKind::Listen, .path = address.c_str()}));
  co_return Listener(kernel, static_cast<int>(handle));
}

Task<Result<int>> Listener::accept() {
  if (cancelled_) co_return fail(Errc::Cancelled, "accepting");
  AwaitOp op(*kernel_, Op{.kind = OpKind::Accept, .handle = handle_});
  accept_in_flight_ = &op;
  const std::int64_t result = co_await op;
  accept_in_flight_ = nullptr;
  if (result < 0) co_return std::unexpected(error_from_os(static_cast<std::int32_t>(-result), "accepting"));
  co_return static_cast<int>(result);
}

void Listener::cancel() {
  cancelled_ = true;
  if (accept_in_flight_ != nullptr) kernel_->cancel(*accept_in_flight_);
}

Task<void> Listener::close() {
  if (handle_ < 0) co_return;
  const int handle = std::exchange(handle_, -1);
  (void)co_await ResultOp(*kernel_, "closing a listener", Op{.kind = OpKind::Close, .handle = handle});
}

}  // namespace penstock::core
