// An integer network made ready for batches of images of one size: memory of its values, prepared steps. Torch-free.
//
// All maps lie in one block, at offsets that plan_arena() finds: a map's memory is used again once no later step reads
// it. Where a map of codes with a border shares memory with another map, its border is written before its step runs.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "deploy/executor.h"
#include "deploy/operation.h"
#include "deploy/packed_weights.h"

namespace auxbench {

class PreparedNetwork {
 public:
  // What is passed must outlive it. Throws UserError where the network cannot be run on such images (value_sizes).
  PreparedNetwork(const IntegerNetwork& network, ValueSize image, const ExecutorOptions& options, const Isa& isa,
                  PackedWeights& packed);

  void run(std::span<const float> images);

  // Of the last run: an output as [batch][h][w][channels]; with keep_values any value as numbers, codes as
  // step u + shift.
  [[nodiscard]] ExecutorOutput output(size_t index) const;
  [[nodiscard]] std::vector<float> value(size_t index) const;

  [[nodiscard]] ValueSize image() const { return image_; }
  [[nodiscard]] std::vector<std::string> plans() const;
  [[nodiscard]] size_t map_bytes() const { return arena_.size(); }

 private:
  struct Border {
    requantize::CodeMap<uint8_t> map;
    uint8_t code = 0;
    bool shared = false;  // its memory is another map's as well
  };

  void place_values();
  void prepare_steps(const Isa& isa, PackedWeights& packed);
  void make_workspaces();
  void write_border(const Border& border) const;
  [[nodiscard]] bool is_dense(size_t value) const;
  [[nodiscard]] size_t numbers_of(size_t value) const;

  const IntegerNetwork& network_;
  ValueSize image_;
  ExecutorOptions options_;
  std::vector<ValueSize> sizes_;
  std::vector<Place> places_;
  std::vector<std::byte*> scratch_;  // of each step
  std::vector<Border> borders_;      // of each value
  lowbit_conv::Buffer arena_, shared_;
  std::vector<lowbit_conv::Buffer> own_;
  std::vector<std::unique_ptr<PreparedStep>> steps_;
  std::vector<std::vector<float>> outputs_;  // empty where the map itself is the output
};

}  // namespace auxbench
