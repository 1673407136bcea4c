// Program: expressions with their names, functions and types resolved, to be run over batches of rows.
//
// All expressions of a load go into one program. Its nodes lie in the order in which they are computed, so a run is
// one loop; what several expressions use (a column, an earlier derived one) is computed once. Whatever depends on
// literals alone is computed when it is added.
//
// Journey:  load_shape, row_filter: add_input, add -> [Program] -> DerivingDecoder, RowFilter: run, result.
// Shard:    one at a time; a run changes it.
// Promise:  after a run that returned true, result(node) has a value for each row of the batch.
// Failure:  add: the message for whoever wrote the expression. run: false when a batch makes too much text or takes
//           too much work; its results mean nothing then, fewer rows may do.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "txn/expression/evaluation.hpp"
#include "txn/expression/expression_tree.hpp"
#include "txn/expression/function.hpp"

namespace penstock::txn {

// `count` rows of a column from `begin` on; no view: the column has none of them, they are NULL.
struct ColumnRows {
  const ColumnView* view = nullptr;
  std::size_t begin = 0;
};

inline constexpr std::size_t kProgramBytesKept = 512 * core::kKiB;  // between steps; more is given back

class Program {
 public:
  using NodeId = std::uint32_t;
  using Added = std::expected<NodeId, std::string>;
  // The node that a name in an expression means.
  using Resolve = std::function<Added(std::string_view name)>;

  explicit Program(const ExpressionOptions& options)
      : constants_(options, kConstantBytesMax), evaluation_(options) {
    constants_.work_max = kConstantWorkMax;
  }

  // `column` is the index into what run() is given.
  Added add_input(std::size_t column, const ColumnDef& definition);
  Added add(const Expr& expr, const Resolve& resolve);
  Added add_cast(NodeId node, const Type& type);

  ValueType type_of(NodeId node) const { return nodes_[node].type; }
  std::size_t size() const { return nodes_.size(); }

  bool run(std::span<const ColumnRows> columns, std::size_t count);
  const Vector& result(NodeId node) const { return *results_[node]; }
  Evaluation& evaluation() { return evaluation_; }
  // So many rows at once, that their values take little room and a step is short.
  std::size_t batch_rows_max() const;
  std::size_t reserved_bytes() const;
  void release_memory();            // the results are gone
  std::size_t fixed_bytes() const;  // what it is made of itself, which stays

 private:
  static constexpr std::size_t kConstantBytesMax = core::kMiB;

  struct Node {
    enum class Kind : std::uint8_t { Input, Literal, Call, Cast, CastToType };
    Kind kind = Kind::Literal;
    ValueType type;
    std::size_t column = 0;              // Input
    const Function* function = nullptr;  // Call
    Type cast_to;                        // CastToType
    std::vector<NodeId> args;
    std::unique_ptr<Vector> literal;
  };

  Added push(Node node);
  Added add_literal(ValueType type, const std::function<void(Vector&)>& fill);
  Added add_number(std::string_view text);
  Added add_text(std::string_view text);
  Added add_call(const Expr& expr, const Resolve& resolve);
  Added call(std::string_view name, std::vector<NodeId> args);
  Added coerce(NodeId node, ValueType to);
  std::expected<void, std::string> read_numbers_as_such(std::vector<NodeId>& args);
  ValueType time_type(NodeId node, bool keeps_dates) const;
  void compute(const Node& node, Evaluation& evaluation, Vector& out) const;
  bool is_literal(NodeId node) const { return nodes_[node].kind == Node::Kind::Literal; }

  Evaluation constants_;  // owns the texts of literals
  Evaluation evaluation_;
  std::vector<Node> nodes_;
  std::vector<Vector> slots_;           // a node's values, but for literals
  std::vector<const Vector*> results_;  // per node
};

// Rows of a column as values.
void read_column(const ColumnRows& column, std::size_t count, ValueType type, Vector& out);

}  // namespace penstock::txn
