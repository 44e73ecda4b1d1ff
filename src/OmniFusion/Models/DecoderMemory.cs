using OmniFusion.Tensors;

namespace OmniFusion.Models;

/// <summary>What a decoder of a growing source computes in: an arena and two caches, which keep their size for the next one.</summary>
internal sealed class DecoderMemory(Compute compute, DecoderShape thinker, DecoderShape translator)
{
    private const int FirstRows = 256;

    private readonly Lazy<KvCache> _thinker = new(() => new KvCache(thinker, FirstRows));
    private readonly Lazy<KvCache> _translator = new(() => new KvCache(translator, FirstRows));

    internal Compute Compute => compute;

    internal KvCache ThinkerCache => _thinker.Value;

    internal KvCache TranslatorCache => _translator.Value;

    internal void Clear()
    {
        compute.Arena.Reset();
        foreach (Lazy<KvCache> cache in new[] { _thinker, _translator })
            if (cache.IsValueCreated)
                cache.Value.Truncate(0);
    }
}
