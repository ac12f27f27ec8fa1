//! The kernels of an update and of the calculator's episodes.

tensor::gpu_kernels! {
    Calculator "calculator" { CalculatorReset "calculator_reset" 256, CalculatorStep "calculator_step" 256 }
    TokenTable "token_table" { TokenTable "token_table" 256 }
    Rollout "rollout" { Rollout "rollout" 0 }
    A2c "a2c" { ComputeAdvantages "compute_advantages" 256, A2c "a2c" 256 }
    Bptt "bptt" {
        BpttStates "bptt_states" 0,
        BpttWeights "bptt_weights" 0,
        BpttSums "bptt_sums" 256,
        BpttGradients "bptt_gradients" 256,
    }
    Update "update" { UpdateNorm "update_norm" 256, UpdateClose "update_close" 256, UpdateStep "update_step" 256 }
}
