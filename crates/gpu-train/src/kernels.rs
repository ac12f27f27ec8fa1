//! The kernels of an update, and those of the calculator's episodes.

tensor::gpu_kernels! {
    calculator { calculator_reset 256, calculator_step 256 }
    token_table { token_table 256 }
    rollout { rollout 0 }
    a2c { judge 256, a2c 256 }
    bptt { bptt_states 0, bptt_weights 0, bptt_sums 256, bptt_gradients 256 }
    update { update_norm 256, update_close 256, update_step 256 }
}
