// The order in which threads and blocks take turns: GRADUS_EMULATOR_ORDER is forward, reverse or random:SEED.
#pragma once
#include <stdint.h>

namespace emulator {

/// Returns true if the order changes at every barrier.
bool is_random_order();

/// Fills `order` with a permutation of 0..count.
void fill_order(unsigned short* order, unsigned count);

/// The order of the blocks of a grid.
class GridOrder {
public:
    explicit GridOrder(uint64_t count);
    uint64_t next();

private:
    uint64_t count_, step_, at_;
};

} // namespace emulator
