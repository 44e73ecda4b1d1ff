namespace OmniFusion.Tensors;

/// <summary>Settings of one AdamW step (Loshchilov and Hutter 2019).</summary>
/// <param name="LearningRate">Step size now.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="WeightDecay">Decoupled decay: the weight loses LearningRate·WeightDecay of itself each step.</param>
public readonly record struct AdamWOptions(float LearningRate, float Beta1 = 0.9f, float Beta2 = 0.98f, float Epsilon = 1e-8f, float WeightDecay = 0.01f);
