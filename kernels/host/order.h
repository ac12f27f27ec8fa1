// In which order threads and blocks take their turns: GRADUS_EMULATOR_ORDER is forward, reverse or random:SEED.
#pragma once
#include <stdint.h>

namespace emulator {

/// Whether the order changes at every barrier.
bool shuffles();

/// Fills `order` with a permutation of 0..count.
void arrange(unsigned short* order, unsigned count);

/// The blocks of a grid, one after the other.
class GridOrder {
public:
    explicit GridOrder(uint64_t count);
    uint64_t next();

private:
    uint64_t count_, step_, at_;
};

} // namespace emulator
