// SimKernel under the contract that the real kernel fulfils.
#include <vector>

#include "core/memory/page_arena.hpp"
#include "tests/core/kernel/kernel_contract.hpp"
#include "tests/sim/sim_kernel.hpp"

namespace penstock::core {
namespace {

class SimPeer final : public ContractPeer {
 public:
  explicit SimPeer(sim::SimClient client) : client_(std::move(client)) {}
  void send(std::string_view bytes) override { client_.send(bytes); }
  std::string receive() override { return client_.take_received(); }
  bool is_ended() override { return client_.is_ended(); }
  void end_sending() override { client_.shutdown_write(); }
  void reset() override { client_.reset(); }

 private:
  sim::SimClient client_;
};

class SimContractWorld final : public KernelWorld {
 public:
  SimContractWorld() { scene_.disk.make_path("/tmp/contract"); }

  Kernel& kernel() override { return kernel_; }
  std::string temp_dir_path() override { return "/tmp/contract"; }
  std::span<std::byte> write_arena() override { return arena_.memory(); }
  int buffers_returned(BufferRing ring) override { return returned_[static_cast<std::size_t>(ring)]; }
  std::unique_ptr<ContractPeer> connect(int listener_handle) override {
    return std::make_unique<SimPeer>(scene_.net.connect(kernel_.listener_address(listener_handle)));
  }
  std::int64_t wake_while(const std::function<void()>& sleep) override {
    sim::SimKernel second(scene_, handles_, options());
    CountedOp wake(Op{.kind = OpKind::Wake, .target = &kernel_});
    second.submit(wake);
    while (!wake.is_done()) second.poll(Instant::never());
    sleep();
    return wake.result;
  }

 private:
  static sim::SimKernelOptions options() {
    return {.head_buffers = kHeadBuffers,
            .head_buffer_bytes = kHeadBufferBytes,
            .body_buffers = kBodyBuffers,
            .body_buffer_bytes = kBodyBufferBytes,
            .split_percent = 0};  // the contract's messages are taken whole
  }

  sim::SimScene scene_{42};
  sim::SimHandles handles_{scene_};
  int returned_[2] = {0, 0};
  sim::SimKernel kernel_{scene_, handles_, options(),
                         [this](BufferRing ring) { ++returned_[static_cast<std::size_t>(ring)]; }};
  PageArena arena_{8, kPage};
};

std::unique_ptr<KernelWorld> make_sim_world() { return std::make_unique<SimContractWorld>(); }

INSTANTIATE_TEST_SUITE_P(Sim, KernelContract, testing::Values(WorldMaker{"sim", make_sim_world}), world_name);

}  // namespace
}  // namespace penstock::core
