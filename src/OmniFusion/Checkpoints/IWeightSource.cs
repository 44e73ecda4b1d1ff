using OmniFusion.Tensors;

namespace OmniFusion.Checkpoints;

/// <summary>Where <see cref="Weights"/> come from: a checkpoint, or one with an adapter merged over it.</summary>
internal interface IWeightSource
{
    /// <summary>Whether there is a tensor under this full key.</summary>
    bool Has(string key);

    /// <summary>The tensor under this full key, or null.</summary>
    Tensor? Find(string key);

    /// <summary>The tensor under this full key as the checkpoint holds it, without any adapter, or null.</summary>
    Tensor? Stored(string key) => Find(key);

    /// <summary>The file or folder a key comes from, or would come from, for messages.</summary>
    string Where(string key);
}
