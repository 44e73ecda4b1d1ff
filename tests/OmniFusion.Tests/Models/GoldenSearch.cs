using OmniFusion.Generation;

namespace OmniFusion.Tests.Models;

/// <summary>Compares searches with those of the published system.</summary>
internal static class GoldenSearch
{
    /// <summary>Ids must be equal; behind its end a row of the golden is filled with the id of &lt;pad&gt;.</summary>
    public static void AssertFound(Golden golden, string name, Generated[] found)
    {
        int width = golden.Shape(name)[^1];
        Assert.Equal(golden.Shape(name)[0], found.Length);
        for (int i = 0; i < found.Length; i++)
        {
            int[] expected = [.. golden.Longs(name).Skip(i * width).Take(width).Select(id => (int)id)];
            Assert.True(expected.AsSpan(0, found[i].Ids.Length).SequenceEqual(found[i].Ids),
                $"{name} {i}: {string.Join(' ', found[i].Ids)} instead of {string.Join(' ', expected)}");
            Assert.True(expected.Skip(found[i].Ids.Length).All(id => id == TinyModels.TranslatorConfig.VocabSize), $"{name} {i} ends too early");
            if (golden.Has(name + "_scores"))
                Assert.Equal(golden.Floats(name + "_scores")[i], found[i].Score!.Value, 1e-3f);
        }
    }
}
