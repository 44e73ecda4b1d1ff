using OmniFusion.Tensors;

namespace OmniFusion.Training;

/// <summary>The loss of some of a batch's examples.</summary>
/// <param name="Name">What they have in common: speech or picture.</param>
/// <param name="Compute">Computes it, shape [1]; the tape records.</param>
public sealed record PartialLoss(string Name, Func<Compute, Tensor> Compute);
